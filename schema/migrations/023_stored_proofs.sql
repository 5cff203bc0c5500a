-- Links and flow cookies are stored as sessions are: as the digest of what a worker sends. Until now the tables held
-- what the functions compared, so a reader of a table could sign in. The code of a mail that is under way now is
-- refused for its ten minutes, because its digest names the link's old one; its link works in the browser that asked.

update auth.links set hash = sha256(hash), flow_hash = sha256(flow_hash);
update billing.checkouts set flow_hash = sha256(flow_hash);
