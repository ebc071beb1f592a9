// Package recipes finds out what the tags of a world hold. A word of the world file stands
// for one content, whichever tags have it; a [Tag] without a word holds what no other tag
// has. [Contents] turns both into recipes for package content.
//
// It must never know what was pushed or deleted.
package recipes
