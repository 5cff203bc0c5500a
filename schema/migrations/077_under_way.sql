-- Turns that have ended do not slow down the count of those that a user has under way (chat.is_busy).

set role tollgate_owner;

create index on chat.turns (user_id, created_at) where state <> 'ended';

reset role;
