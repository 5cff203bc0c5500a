-- Two clocks date a pass over a list: Stripe's says where the next one must begin, ours how long ago it was.

alter table sync.cursors
	add newest timestamptz,			-- Stripe's time of the newest that the pass under way has met
	add seen_at timestamptz;		-- ours, when the last pass that came to its end began

-- Until now the watermark was by our clock, which may have been ahead.
update sync.cursors set watermark = watermark - interval '1 day', seen_at = watermark;
