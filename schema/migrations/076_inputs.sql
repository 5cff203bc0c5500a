-- What a turn may read is known before any model is asked, so that one which makes way for a later message is charged
-- for it at once (chat.end_former).

set role tollgate_owner;

alter table chat.turns add column input bigint not null default 0;	-- tokens, at most

reset role;
