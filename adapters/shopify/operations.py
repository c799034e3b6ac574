"""Every GraphQL operation that the adapter sends, as constants (Admin API 2026-10).

They ask for nothing that needs another scope than ``read_orders``, ``write_orders`` and ``read_customers``;
companies are readable with the last. Lists are small, because a query may cost at most 1000 points; what
does not fit is read on by a cursor. A test checks each of them against the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

API_VERSION: Final = "2026-10"
"""Quarterly version of the Admin API; supported for at least a year, then the shop answers with the next."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: its name, sent as ``operationName``.
        text: the whole document.
        writes: it changes something, so it is not repeated blindly.
    """

    name: str
    text: str
    writes: bool = False


_MONEY = """
fragment Money on MoneyBag {
  shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
"""
_TAX = "fragment Tax on TaxLine { title rate ratePercentage channelLiable priceSet { ...Money } }"
_ADDRESS = """
fragment Address on MailingAddress {
  firstName lastName company address1 address2 zip city provinceCode countryCodeV2 }
"""
_ALLOCATION = """
fragment Allocation on DiscountAllocation {
  allocatedAmountSet { ...Money } discountApplication { index } }
"""
_LINE = """
fragment Line on LineItem {
  id name sku quantity currentQuantity isGiftCard requiresShipping taxable
  originalTotalSet { ...Money } discountAllocations { ...Allocation } taxLines { ...Tax }
  duties { id price { ...Money } taxLines { ...Tax } } }
"""
_HEAD = """
fragment Head on Order {
  id legacyResourceId name createdAt processedAt updatedAt cancelledAt test edited
  displayFinancialStatus displayFulfillmentStatus currencyCode presentmentCurrencyCode
  taxesIncluded taxExempt dutiesIncluded
  email phone customerLocale note poNumber sourceName paymentGatewayNames
  customAttributes { key value }
  billingAddress { ...Address } shippingAddress { ...Address }
  customer { id firstName lastName tags defaultEmailAddress { emailAddress }
    metafields(first: 10) { nodes { namespace key value } } }
  purchasingEntity { __typename ... on PurchasingCompany {
    company { id name externalId }
    location { id name taxSettings { taxRegistrationId taxExempt }
      billingAddress { companyName address1 address2 zip city zoneCode countryCode } } } }
  metafields(first: 20) { nodes { namespace key value } }
}
"""
_SUMS = """
fragment Sums on Order {
  totalPriceSet { ...Money } currentTotalPriceSet { ...Money } totalTaxSet { ...Money }
  totalTipReceivedSet { ...Money }
  totalCashRoundingAdjustment { paymentSet { ...Money } refundSet { ...Money } }
  taxLines { ...Tax }
  additionalFees { id name price { ...Money } taxLines { ...Tax } }
  shippingLines(first: 10, includeRemovals: true) { pageInfo { hasNextPage } nodes {
    id title isRemoved originalPriceSet { ...Money } taxLines { ...Tax }
    discountAllocations { ...Allocation } } }
  discountApplications(first: 10) { nodes { index
    ... on DiscountCodeApplication { code } ... on ManualDiscountApplication { title }
    ... on AutomaticDiscountApplication { title } ... on ScriptDiscountApplication { title } } }
  transactions(first: 30) {
    id kind status gateway formattedGateway processedAt paymentId amountSet { ...Money } }
  fulfillments(first: 30) { createdAt status }
  refunds(first: 20) {
    id legacyResourceId note transactions(first: 5) { nodes { kind status amountSet { ...Money } } } }
}
"""
_REFUND_LINE = """
fragment RefundLine on RefundLineItem {
  id quantity restockType subtotalSet { ...Money } totalTaxSet { ...Money }
  lineItem { id name isGiftCard taxLines { ...Tax } } }
"""
_REFUND = """
fragment RefundFull on Refund {
  id legacyResourceId createdAt processedAt updatedAt note totalRefundedSet { ...Money }
  refundLineItems(first: $first) { pageInfo { hasNextPage endCursor } nodes { ...RefundLine } }
  refundShippingLines(first: 5) { pageInfo { hasNextPage } nodes {
    id subtotalAmountSet { ...Money } taxAmountSet { ...Money }
    shippingLine { id title taxLines { ...Tax } } } }
  orderAdjustments(first: 5) { nodes { id reason amountSet { ...Money } taxAmountSet { ...Money } } }
  duties { amountSet { ...Money } originalDuty { id } }
  transactions(first: 10) { nodes { id kind status gateway processedAt amountSet { ...Money } } }
  order { id }
}
"""
_SALE = """
fragment SaleFull on Sale {
  __typename id actionType lineType quantity totalAmount { ...Money } totalTaxAmount { ...Money }
  taxes { amount { ...Money } taxLine { ...Tax } }
  ... on ProductSale { lineItem { id name sku } }
  ... on GiftCardSale { lineItem { id name sku } }
  ... on TipSale { lineItem { id name sku } }
  ... on ShippingLineSale { shippingLine { id title } }
  ... on DutySale { duty { id } }
  ... on AdditionalFeeSale { additionalFee { id name } } }
"""

ORDER: Final = Operation(
    "OrderFull",
    "query OrderFull($id: ID!, $first: Int!) { order(id: $id) { ...Head ...Sums"
    " lineItems(first: $first) { pageInfo { hasNextPage endCursor } nodes { ...Line } } } }"
    + _MONEY
    + _TAX
    + _ADDRESS
    + _ALLOCATION
    + _LINE
    + _HEAD
    + _SUMS,
)
ORDER_LINES: Final = Operation(
    "OrderLines",
    "query OrderLines($id: ID!, $first: Int!, $after: String) { order(id: $id) { updatedAt"
    " lineItems(first: $first, after: $after)"
    " { pageInfo { hasNextPage endCursor } nodes { ...Line } } } }" + _MONEY + _TAX + _ALLOCATION + _LINE,
)
ORDER_LEDGER: Final = Operation(
    "OrderLedger",
    "query OrderLedger($id: ID!, $first: Int!, $after: String, $sales: String) { order(id: $id) {"
    " agreements(first: 1, after: $after) { pageInfo { hasNextPage endCursor } nodes {"
    " id happenedAt reason sales(first: $first, after: $sales)"
    " { pageInfo { hasNextPage endCursor } nodes { ...SaleFull } } } } } }" + _MONEY + _TAX + _SALE,
)
"""One agreement at a time, its sales paged."""

ORDERS_CHANGED: Final = Operation(
    "OrdersChanged",
    "query OrdersChanged($query: String!, $after: String) {"
    " orders(first: 50, after: $after, sortKey: UPDATED_AT, query: $query)"
    " { pageInfo { hasNextPage endCursor } nodes { id legacyResourceId updatedAt } } }",
)
REFUNDS_CHANGED: Final = Operation(
    "RefundsChanged",
    "query RefundsChanged($query: String!, $after: String) {"
    " orders(first: 25, after: $after, sortKey: UPDATED_AT, query: $query)"
    " { pageInfo { hasNextPage endCursor } nodes { id legacyResourceId updatedAt"
    " refunds(first: 20) { id legacyResourceId updatedAt } } } }",
)
ORDER_REFUNDS: Final = Operation(
    "OrderRefunds",
    "query OrderRefunds($id: ID!) { order(id: $id) {"
    " id edited refunds(first: 100) { id legacyResourceId } } }",
)
REFUND: Final = Operation(
    "RefundById",
    "query RefundById($id: ID!, $first: Int!) { refund(id: $id) { ...RefundFull } }"
    + _MONEY
    + _TAX
    + _REFUND_LINE
    + _REFUND,
)
REFUND_LINES: Final = Operation(
    "RefundLines",
    "query RefundLines($id: ID!, $first: Int!, $after: String) { refund(id: $id) {"
    " refundLineItems(first: $first, after: $after)"
    " { pageInfo { hasNextPage endCursor } nodes { ...RefundLine } } } }" + _MONEY + _TAX + _REFUND_LINE,
)
SHOP: Final = Operation(
    "ShopInfo",
    "query ShopInfo { shop { name myshopifyDomain currencyCode taxesIncluded taxShipping ianaTimezone"
    " plan { publicDisplayName } } currentAppInstallation { accessScopes { handle } } }",
)
NEWEST_ORDER: Final = Operation(
    "NewestOrder",
    "query NewestOrder { orders(first: 1, sortKey: CREATED_AT, reverse: true)"
    " { nodes { id name email billingAddress { lastName address1 } } } }",
)

ORDER_NOTE: Final = Operation("OrderNote", "query OrderNote($id: ID!) { order(id: $id) { id note } }")
SET_NOTE: Final = Operation(
    "SetNote",
    "mutation SetNote($input: OrderInput!) { orderUpdate(input: $input)"
    " { order { id note } userErrors { field message } } }",
    writes=True,
)
ORDER_METAFIELDS: Final = Operation(
    "OrderMetafields",
    "query OrderMetafields($id: ID!, $namespace: String!) { order(id: $id) { id"
    " metafields(first: 25, namespace: $namespace) { nodes { key value compareDigest } } } }",
)
SET_METAFIELDS: Final = Operation(
    "SetMetafields",
    "mutation SetMetafields($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields)"
    " { metafields { key value } userErrors { field message code } } }",
    writes=True,
)
DELETE_METAFIELDS: Final = Operation(
    "DeleteMetafields",
    "mutation DeleteMetafields($metafields: [MetafieldIdentifierInput!]!) {"
    " metafieldsDelete(metafields: $metafields)"
    " { deletedMetafields { key } userErrors { field message } } }",
    writes=True,
)
METAFIELD_DEFINITIONS: Final = Operation(
    "MetafieldDefinitions",
    "query MetafieldDefinitions($namespace: String!) {"
    " metafieldDefinitions(first: 25, ownerType: ORDER, namespace: $namespace)"
    " { nodes { id key access { customerAccount } } } }",
)
DEFINE_METAFIELD: Final = Operation(
    "DefineMetafield",
    "mutation DefineMetafield($definition: MetafieldDefinitionInput!) {"
    " metafieldDefinitionCreate(definition: $definition)"
    " { createdDefinition { id } userErrors { field message code } } }",
    writes=True,
)
ORDER_TAGS: Final = Operation("OrderTags", "query OrderTags($id: ID!) { order(id: $id) { id tags } }")
ADD_TAG: Final = Operation(
    "AddTag",
    "mutation AddTag($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags)"
    " { node { id } userErrors { field message } } }",
    writes=True,
)
SEND_EMAIL: Final = Operation(
    "SendOrderInvoice",
    "mutation SendOrderInvoice($id: ID!, $email: EmailInput) { orderInvoiceSend(id: $id, email: $email)"
    " { order { id } userErrors { field message code } } }",
    writes=True,
)

SUBSCRIPTIONS: Final = Operation(
    "Subscriptions",
    "query Subscriptions($after: String) { webhookSubscriptions(first: 50, after: $after)"
    " { pageInfo { hasNextPage endCursor }"
    " nodes { id topic uri format includeFields apiVersion { handle } } } }",
)
SUBSCRIBE: Final = Operation(
    "Subscribe",
    "mutation Subscribe($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {"
    " webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub)"
    " { webhookSubscription { id } userErrors { field message } } }",
    writes=True,
)
CHANGE_SUBSCRIPTION: Final = Operation(
    "ChangeSubscription",
    "mutation ChangeSubscription($id: ID!, $sub: WebhookSubscriptionInput!) {"
    " webhookSubscriptionUpdate(id: $id, webhookSubscription: $sub)"
    " { webhookSubscription { id } userErrors { field message } } }",
    writes=True,
)
UNSUBSCRIBE: Final = Operation(
    "Unsubscribe",
    "mutation Unsubscribe($id: ID!) { webhookSubscriptionDelete(id: $id)"
    " { deletedWebhookSubscriptionId userErrors { field message } } }",
    writes=True,
)

OPERATIONS: Final = tuple(value for value in globals().values() if isinstance(value, Operation))
"""All of them."""
