// Drives the simulator at the given address with Stripe's own client for Node, and prints what came of it as JSON.
//
//     node drive.js URL KEY SECRET
'use strict';

const Stripe = require('stripe');

const [address, key, secret] = process.argv.slice(2);
const url = new URL(address);
const stripe = new Stripe(key, {host: url.hostname, port: url.port, protocol: 'http', maxNetworkRetries: 1,
	telemetry: false});

async function control(path, body) {
	const answer = await fetch(`${address}/_sim/${path}`, {method: 'POST', body: JSON.stringify(body)});
	return answer.json();
}

async function refusal(call) {
	try {
		await call;
		return null;
	} catch (error) {
		return [error.type, error.statusCode, error.code ?? null, error.param ?? null];
	}
}

async function sell() {
	const customer = await stripe.customers.create({email: 'Anna@example.com', metadata: {tenant: '1'}});
	const asked = {mode: 'subscription', customer: customer.id, success_url: 'http://localhost/ok',
		line_items: [{price: 'price_starter', quantity: 2}], expand: ['line_items'],
		subscription_data: {metadata: {tenant: '1'}}};
	const session = await stripe.checkout.sessions.create(asked, {idempotencyKey: 'once'});
	const again = await stripe.checkout.sessions.create(asked, {idempotencyKey: 'once'});
	await control(`checkout/${session.id}/pay`, {});
	const {data: [subscription]} = await stripe.subscriptions.list({customer: customer.id});
	return {customer, session, again, subscription};
}

async function pages() {
	for (let n = 0; n < 7; n++)
		await stripe.customers.create({email: 'many@example.com'});
	const listed = await stripe.customers.list({email: 'many@example.com', limit: 3}).autoPagingToArray({limit: 100});
	await control('clock', {advance: 3600});
	const found = await stripe.customers.search({query: "email:'many@example.com'", limit: 3})
		.autoPagingToArray({limit: 100});
	return {listed: listed.length, found: new Set(found.map((row) => row.id)).size};
}

async function verify() {
	const payload = JSON.stringify({id: 'evt_1', object: 'event'});
	const header = stripe.webhooks.generateTestHeaderString({payload, secret});
	return stripe.webhooks.constructEvent(payload, header, secret).id;
}

async function main() {
	const {customer, session, again, subscription} = await sell();
	const changed = await stripe.subscriptions.update(subscription.id, {cancel_at_period_end: true});
	const portal = await stripe.billingPortal.sessions.create({customer: customer.id, return_url: 'http://localhost/'});
	const invoice = await stripe.invoices.retrieve(subscription.latest_invoice);
	const result = {
		version: Stripe.API_VERSION ?? stripe.getApiField('version'), once: session.id === again.id,
		total: session.line_items.data[0].amount_total, status: subscription.status, canceled: changed.cancel_at !== null,
		portal: portal.url.startsWith(address), paid: invoice.status, pages: await pages(), event: await verify(),
		unknown: await refusal(stripe.customers.retrieve('cus_nobody')),
		reused: await refusal(stripe.customers.create({email: 'b@example.com'}, {idempotencyKey: 'once'})),
		wrong: await refusal(stripe.prices.create({product: 'prod_no', unit_amount: 1, currency: 'xyz'})),
		stranger: await refusal(new Stripe('sk_test_no', {host: url.hostname, port: url.port, protocol: 'http'})
			.customers.list()),
	};
	const schedule = await stripe.subscriptionSchedules.create({from_subscription: subscription.id});
	const off = await stripe.coupons.create({percent_off: 50, duration: 'forever'});
	await stripe.subscriptions.update(subscription.id, {cancel_at: '', discounts: [{coupon: off.id}],
		pause_collection: {behavior: 'void'}});
	const coming = await stripe.invoices.createPreview({subscription: subscription.id});
	result.coming = [schedule.status, coming.amount_due];
	result.resumed = await refusal(stripe.subscriptions.resume(subscription.id, {billing_cycle_anchor: {type: 'now'}}));
	result.ended = (await stripe.subscriptions.cancel(subscription.id)).status;
	console.log(JSON.stringify(result));
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
