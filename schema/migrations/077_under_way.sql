-- Who has many turns behind them is asked as fast as others how many are under way (chat.is_busy).

set role tollgate_owner;

create index on chat.turns (user_id, created_at) where state <> 'ended';

reset role;
