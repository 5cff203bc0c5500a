"""Which parameters each call takes: see parameters.py for the notation, test_strictness.py for the check against what
Stripe says of itself."""
from .parameters import parse_table

EXPAND = "expand[] string\n"
PAGE = EXPAND + """
    limit           integer
    starting_after  string
    ending_before   string
"""
LOCALES = ("auto|bg|cs|da|de|el|en|en-GB|es|es-419|et|fi|fil|fr|fr-CA|hr|hu|id|it|ja|ko|lt|lv|ms|mt|nb|nl|pl|pt|pt-BR|"
           "ro|ru|sk|sl|sv|th|tr|vi|zh|zh-HK|zh-TW")
FEEDBACK = "customer_service|low_quality|missing_features|other|switched_service|too_complex|too_expensive|unused"
PRORATION = "none|create_prorations|always_invoice"

NOTHING = parse_table(EXPAND)
LIST = parse_table(PAGE)

CUSTOMER = parse_table(EXPAND + """
    email                                   text_email
    name                                    text
    business_name                           text
    individual_name                         text
    description                             text
    phone                                   text
    metadata                                metadata
    address.city                            text
    address.country                         text
    address.line1                           text
    address.line2                           text
    address.postal_code                     text
    address.state                           text
    balance                                 integer
    preferred_locales[]                     string
    invoice_settings.default_payment_method string
    invoice_settings.footer                 text
    payment_method                          string
    tax_exempt                              none|exempt|reverse|<empty>
    invoice_prefix                          string
    next_invoice_sequence                   integer
    shipping                                !
    source                                  !
    tax                                     !
    tax_id_data                             !
    test_clock                              !
    cash_balance                            !
    validate                                !
""")
CUSTOMER_LIST = parse_table(PAGE + """
    email       string
    created     range
    test_clock  !
""")
SEARCH = parse_table(EXPAND + """
    query  * string
    limit  integer
    page   string
""")

CHECKOUT_CREATE = parse_table(EXPAND + f"""
    mode                                            * payment|setup|subscription
    line_items[].price                              string
    line_items[].quantity                           integer
    line_items[].metadata                           metadata
    line_items[].adjustable_quantity.enabled        * boolean
    line_items[].adjustable_quantity.minimum        integer
    line_items[].adjustable_quantity.maximum        integer
    line_items[].price_data                         !
    line_items[].tax_rates                          !
    customer                                        string
    customer_email                                  email
    customer_update.address                         auto|never
    customer_update.name                            auto|never
    customer_update.shipping                        auto|never
    client_reference_id                             string
    metadata                                        metadata
    success_url                                     url
    cancel_url                                      url
    locale                                          {LOCALES}
    expires_at                                      timestamp
    currency                                        string
    allow_promotion_codes                           boolean
    payment_method_collection                       always|if_required
    billing_address_collection                      auto|required
    automatic_tax.enabled                           * boolean
    tax_id_collection.enabled                       * boolean
    tax_id_collection.required                      if_supported|never
    phone_number_collection.enabled                 * boolean
    adaptive_pricing.enabled                        boolean
    consent_collection.promotions                   auto|none
    consent_collection.terms_of_service             required|none
    after_expiration.recovery.enabled               * boolean
    after_expiration.recovery.allow_promotion_codes boolean
    integration_identifier                          string
    submit_type                                     auto|book|donate|pay|subscribe
    subscription_data.metadata                      metadata
    subscription_data.description                   string
    subscription_data.trial_period_days             integer
    subscription_data.trial_end                     timestamp
    subscription_data.trial_settings.end_behavior.missing_payment_method * cancel|create_invoice|pause
    subscription_data.billing_mode.type             * classic|flexible
    subscription_data.billing_cycle_anchor          !
    subscription_data.billing_cycle_anchor_config   !
    subscription_data.default_tax_rates             !
    subscription_data.invoice_settings              !
    subscription_data.proration_behavior            create_prorations|none
    subscription_data.application_fee_percent       !
    subscription_data.transfer_data                 !
    subscription_data.on_behalf_of                  !
""" + "\n".join(f"{name} !" for name in """
    branding_settings custom_fields custom_text customer_account customer_creation discounts
    excluded_payment_method_types invoice_creation managed_payments name_collection optional_items origin_context
    payment_intent_data payment_method_configuration payment_method_data payment_method_options payment_method_types
    permissions redirect_on_completion return_url saved_payment_method_options setup_intent_data
    shipping_address_collection shipping_options ui_mode wallet_options""".split()))
CHECKOUT_LIST = parse_table(PAGE + """
    created                 range
    customer                string
    customer_details.email  * email
    status                  complete|expired|open
    subscription            string
    customer_account        !
    payment_intent          !
    payment_link            !
""")

SUBSCRIPTION_UPDATE = parse_table(EXPAND + f"""
    cancel_at_period_end            boolean
    cancel_at                       max_period_end|min_period_end|<integer>|<empty>
    cancellation_details.comment    text
    cancellation_details.feedback   {FEEDBACK}|<empty>
    items[].id                      string
    items[].price                   string
    items[].quantity                integer
    items[].deleted                 boolean
    items[].metadata                metadata
    metadata                        metadata
    description                     text
    default_payment_method          string
    proration_behavior              {PRORATION}
    payment_behavior                allow_incomplete|default_incomplete|error_if_incomplete|pending_if_incomplete
    collection_method               charge_automatically|send_invoice
    days_until_due                  integer
    discounts[].coupon              string
    discounts[].discount            string
    trial_end                       now|<integer>
    trial_settings.end_behavior.missing_payment_method * cancel|create_invoice|pause
    pause_collection.behavior       * keep_as_draft|mark_uncollectible|void
    pause_collection.resumes_at     timestamp
    off_session                     boolean
""" + "\n".join(f"{name} !" for name in """
    add_invoice_items application_fee_percent automatic_tax billing_cycle_anchor billing_schedules billing_thresholds
    default_source default_tax_rates invoice_settings on_behalf_of
    payment_settings pending_invoice_item_interval proration_date transfer_data trial_from_plan""".split()))
SUBSCRIPTION_CANCEL = parse_table(EXPAND + f"""
    cancellation_details.comment    text
    cancellation_details.feedback   {FEEDBACK}|<empty>
    invoice_now                     boolean
    prorate                         boolean
""")
SUBSCRIPTION_RESUME = parse_table(EXPAND + f"""
    billing_cycle_anchor    anchor
    payment_behavior        resume_on_payment_attempt|resume_on_payment_success
    proration_behavior      {PRORATION}
    proration_date          !
""")
SUBSCRIPTION_LIST = parse_table(PAGE + """
    customer                string
    price                   string
    status                  active|all|canceled|ended|incomplete|incomplete_expired|past_due|paused|trialing|unpaid
    created                 range
    current_period_start    range
    current_period_end      range
    collection_method       charge_automatically|send_invoice
    automatic_tax           !
    customer_account        !
    plan                    !
    test_clock              !
""")
SUBSCRIPTION_ITEM_LIST = parse_table(PAGE + """
    subscription    * string
""")
INVOICE_LIST = parse_table(PAGE + """
    customer        string
    subscription    string
    status          draft|open|paid|uncollectible|void
    created         range
""")

CHARGE_LIST = parse_table(PAGE + """
    customer        string
    payment_intent  string
    created         range
    transfer_group  !
""")
REFUND_CREATE = parse_table(EXPAND + """
    charge          string
    payment_intent  string
    amount          integer
    reason          duplicate|fraudulent|requested_by_customer
    metadata        metadata
""" + "\n".join(f"{name} !" for name in """
    currency customer instructions_email origin refund_application_fee reverse_transfer""".split()))
REFUND_LIST = parse_table(PAGE + """
    charge          string
    payment_intent  string
    created         range
""")
INVOICE_PAYMENT_LIST = parse_table(PAGE + """
    invoice                 string
    status                  canceled|open|paid
    payment.type            * charge|payment_intent
    payment.charge          string
    payment.payment_intent  string
    created                 range
""")

PRICE_LIST = parse_table(PAGE + """
    lookup_keys[]           string
    active                  boolean
    product                 string
    currency                string
    type                    one_time|recurring
    created                 range
    recurring.interval      day|month|week|year
    recurring.usage_type    licensed|metered
    recurring.meter         !
""")
PRODUCT_LIST = parse_table(PAGE + """
    active  boolean
    ids[]   string
    created range
""")

PORTAL_CREATE = parse_table(EXPAND + f"""
    customer                string
    configuration           string
    return_url              url
    locale                  {LOCALES}
    flow_data.type          * payment_method_update|subscription_cancel|subscription_update|subscription_update_confirm
    flow_data.subscription_cancel.subscription          * string
    flow_data.subscription_update.subscription          * string
    flow_data.after_completion.type                     * hosted_confirmation|portal_homepage|redirect
    flow_data.after_completion.redirect.return_url      * url
    flow_data.after_completion.hosted_confirmation.custom_message string
    flow_data.subscription_update_confirm               !
    customer_account        !
    on_behalf_of            !
""")
CONFIGURATION = """
    business_profile.headline                                               text
    business_profile.privacy_policy_url                                     url
    business_profile.terms_of_service_url                                   url
    default_return_url                                                      text_url
    metadata                                                                metadata
    name                                                                    text
    login_page.enabled                                                      * boolean
    features.customer_update.enabled                                        boolean
    features.customer_update.allowed_updates[]                              address|email|name|phone|shipping|tax_id
    features.invoice_history.enabled                                        * boolean
    features.payment_method_update.enabled                                  * boolean
    features.payment_method_update.payment_method_configuration             !
    features.subscription_cancel.enabled                                    boolean
    features.subscription_cancel.mode                                       immediately|at_period_end
    features.subscription_cancel.proration_behavior                         none|create_prorations|always_invoice
    features.subscription_cancel.cancellation_reason.enabled                * boolean
    features.subscription_cancel.cancellation_reason.options[]              FEEDBACK
    features.subscription_update.enabled                                    boolean
    features.subscription_update.billing_cycle_anchor                       now|unchanged
    features.subscription_update.default_allowed_updates[]                  price|promotion_code|quantity
    features.subscription_update.products[].product                         * string
    features.subscription_update.products[].prices[]                        string
    features.subscription_update.products[].adjustable_quantity             !
    features.subscription_update.proration_behavior                         none|create_prorations|always_invoice
    features.subscription_update.schedule_at_period_end.conditions[].type   * decreasing_item_amount|shortening_interval
    features.subscription_update.trial_update_behavior                      continue_trial|end_trial
""".replace("FEEDBACK", FEEDBACK)
CONFIGURATION_CREATE = parse_table(EXPAND + CONFIGURATION)
CONFIGURATION_UPDATE = parse_table(EXPAND + "active boolean\n" + CONFIGURATION)
CONFIGURATION_LIST = parse_table(PAGE + """
    active      boolean
    is_default  boolean
""")

EVENT_LIST = parse_table(PAGE + """
    type                string
    types[]             string
    created             range
    delivery_success    boolean
""")
ENDPOINT = """
    description     text
    metadata        metadata
"""
ENDPOINT_CREATE = parse_table(EXPAND + ENDPOINT + """
    url                 * url
    enabled_events[]    string
    api_version         string
    connect             !
""")
ENDPOINT_UPDATE = parse_table(EXPAND + ENDPOINT + """
    url                 url
    enabled_events[]    string
    disabled            boolean
""")
METER_EVENT = parse_table(EXPAND + """
    event_name  * string
    payload     * map
    identifier  string
    timestamp   timestamp
""")
