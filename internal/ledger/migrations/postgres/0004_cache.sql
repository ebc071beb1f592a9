-- The tags of images as they were last listed in full. A row is used only as long as
-- the image looks as it did then.
CREATE TABLE janitor_listings (
	image  BIGINT PRIMARY KEY, -- a hash of its ID
	looks  BYTEA NOT NULL, -- a hash of all that the listing of images shows of it
	listed BIGINT NOT NULL,
	tags   BYTEA NOT NULL,
	count  BIGINT NOT NULL, -- of the tags
	quiet  BIGINT NOT NULL, -- until when nothing follows from the tags; 0: something does
	judge  BYTEA NOT NULL -- a hash of all that this depends on beside the tags and the time
);
