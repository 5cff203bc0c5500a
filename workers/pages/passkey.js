/* Asks the browser for a passkey, and sends what it says with the page's form. */
"use strict";

const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer ?? [])))
	.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/* "ID TRANSPORT TRANSPORT,ID,..." */
const keys = list => list.split(",").filter(Boolean).map(key => {
	const [id, ...transports] = key.trim().split(" ");
	return { type: "public-key", id: bytes(id), ...(transports.length && { transports }) };
});

async function make({ challenge, site, user, name, keys: others }) {
	const { rawId, response } = await navigator.credentials.create({ publicKey: {
		challenge: bytes(challenge), attestation: "none", excludeCredentials: keys(others), rp: { name: site },
		user: { id: bytes(user), name, displayName: name },
		pubKeyCredParams: [-8, -7, -257].map(alg => ({ type: "public-key", alg })),
		authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
	} });
	return { id: text(rawId), client: text(response.clientDataJSON), attestation: text(response.attestationObject),
		transports: response.getTransports?.().join(" ") ?? "" };
}

async function use({ challenge, keys: own }) {
	const { rawId, response } = await navigator.credentials.get({ publicKey: {
		challenge: bytes(challenge), allowCredentials: keys(own), userVerification: "required",
	} });
	return { id: text(rawId), client: text(response.clientDataJSON), data: text(response.authenticatorData),
		signature: text(response.signature), user: text(response.userHandle) };
}

for (const form of document.querySelectorAll("form[data-challenge]")) {
	const show = state => form.querySelectorAll("[data-when]").forEach(part => {
		if (part.matches(".error"))
			part.setAttribute("role", "alert");
		part.hidden = !part.dataset.when.split(" ").includes(state);
	});
	show(window.PublicKeyCredential ? "ready" : "unable");
	form.addEventListener("submit", async event => {
		event.preventDefault();
		try {
			const said = await (form.dataset.user ? make : use)(form.dataset);
			for (const name in said)
				form.elements[name].value = said[name];
			form.submit();
		} catch (error) {
			show(error.name === "InvalidStateError" ? "there" : "failed");
		}
	});
}
