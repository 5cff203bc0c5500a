-- The most that a turn's input may count is known before any model is asked. A turn that makes way for a later message
-- before its first checkpoint is charged that (chat.end_former).

set role tollgate_owner;

alter table chat.turns add column input bigint not null default 0;	-- a bound, in tokens

reset role;

-- Functions of before, which have other arguments by now.
set role tollgate_service;

drop function if exists chat.end_former(uuid, uuid, text, text, jsonb, timestamptz, timestamptz, uuid);
drop function if exists chat.hold(uuid, uuid, text, jsonb, jsonb, bigint, bigint, bigint, text, uuid);
drop function if exists chat.note_turn(uuid, uuid, uuid, uuid, text, text);
drop function if exists chat.take(uuid, uuid, jsonb, jsonb, bigint, bigint, text, uuid);
drop function if exists chat.transcript(uuid, text, bigint, boolean);

reset role;
