package emulator

// The words of the world that the API acts by.
const (
	sharedUntag   = "untag"
	sharedCascade = "cascade"

	againNotFound = "not_found"
	againConflict = "conflict"

	emptyRemove   = "remove"
	oversizeClamp = "clamp"

	statusReady    = "ready"
	statusDeleting = "deleting"
	statusLocked   = "locked"

	visibilityInherit = "inherit"
	visibilityPublic  = "public"
	visibilityPrivate = "private"
	visibilityUnknown = "visibility_unknown"

	faultStatus        = "status"
	faultEmptyBody     = "empty_body"
	faultHTML          = "html"
	faultRedirect      = "redirect"
	faultHang          = "hang"
	faultReset         = "reset"
	faultTruncatedJSON = "truncated_json"
	faultCutBody       = "cut_body"
	faultShortPage     = "short_page"
	faultChangedTotal  = "changed_total"
	faultDuplicateRow  = "duplicate_row"

	bodyText  = "text"
	bodyHTML  = "html"
	bodyEmpty = "empty"

	whenAfter = "after"
)
