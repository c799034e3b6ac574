"""Exchange rates of the National Bank of Poland (NBP): its public Web API and a local cache."""

from connector_app.nbp.cache import RateCache
from connector_app.nbp.client import NBP_API, Limits
from connector_app.nbp.rates import NbpRates

__all__ = ["NBP_API", "Limits", "NbpRates", "RateCache"]
