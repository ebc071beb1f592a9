-- The tags of images as they were last listed in full. A row is used only as long as
-- the image looks as it did then.
CREATE TABLE janitor_listings (
	image  INTEGER PRIMARY KEY, -- a hash of its ID
	looks  BLOB NOT NULL, -- a hash of all that the listing of images shows of it
	listed INTEGER NOT NULL,
	tags   BLOB NOT NULL,
	count  INTEGER NOT NULL, -- of the tags
	quiet  INTEGER NOT NULL, -- until when nothing follows from the tags; 0: something does
	judge  BLOB NOT NULL -- a hash of all that this depends on beside the tags and the time
) STRICT;
