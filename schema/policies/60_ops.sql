-- What the operator's functions need beside what events and their objects need.

grant update (object_kind, object_id) on inbox.events to tollgate_service;	-- of one that is understood only now
