-- Names that people give: of themselves, and of their tenants.

set role tollgate_owner;

-- As it is kept: composed (NFC), without white space around it, and one space where there is more. TG422: it is too
-- short in characters that are seen or too long in all, has one that is not seen and joins or selects none, or one that
-- turns the direction of what follows, or reads like an address, which programs that show mails make a link.
create or replace function app.clean_name(p_name text, p_least int, p_most int) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	name text := btrim(regexp_replace(normalize(p_name, nfc), '[\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+', ' ', 'g'));
begin
	if name is null or char_length(name) > p_most
			or char_length(regexp_replace(name, '[\u200c\u200d\ufe00-\ufe0f]', '', 'g')) < p_least
			or name ~ ('[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b'
				'\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb'
				'\U0001d173-\U0001d17a\U000e0000-\U000e0fff]|://|\m[Ww]{3}\.') then
		raise exception 'no such name' using errcode = 'TG422';
	end if;
	return name;
end
$$;

-- What a user is called until the user says: the local part of the address, or all of it where that is too short. One
-- that reads like an address of a page is changed.
create or replace function app.first_name(p_email text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return left(regexp_replace(case when char_length(split_part(btrim(p_email), '@', 1)) < 3 then btrim(p_email)
		else split_part(btrim(p_email), '@', 1) end, '\m([Ww]{3})\.', '\1-', 'g'), 32);
end
$$;

-- What stands where others have a picture: the first letters of the first and the last word.
create or replace function app.initials_of(p_name text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	words text[] := regexp_split_to_array(p_name, '[ ._-]+');
begin
	return upper(left(words[1], 1) || case when cardinality(words) > 1 then left(words[cardinality(words)], 1)
		else '' end);
end
$$;

reset role;
