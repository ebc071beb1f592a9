package web

import (
	"io"
	"net/http"
)

// signed answers with the bytes that approvers of a plan sign.
func (s *server) signed(w http.ResponseWriter, r *http.Request) {
	plan, err := s.daemon.SignedBytes(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(plan) //nolint:gosec // JSON, which nosniff keeps from being a page
}

// approve adds the signature in the body to a plan.
func (s *server) approve(w http.ResponseWriter, r *http.Request) {
	signature, err := io.ReadAll(r.Body)
	if err != nil {
		writeError(w, http.StatusBadRequest, "the signature could not be read: "+err.Error())
		return
	}
	approvals, err := s.daemon.Approve(r.Context(), r.PathValue("id"), signature)
	if err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, approvals)
}
