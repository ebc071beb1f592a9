package archive

// LookAgain has a restorer look at each tag again before it sets it.
func (r *Restorer) LookAgain() *Restorer {
	r.believed = -1
	return r
}
