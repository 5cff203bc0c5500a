-- The most that a turn's input may count is known before any model is asked. A turn that makes way for a later message
-- before its first checkpoint is charged that (chat.end_former).

set role tollgate_owner;

alter table chat.turns add column input bigint not null default 0;	-- a bound, in tokens

reset role;
