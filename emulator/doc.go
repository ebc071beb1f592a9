// Package emulator is the Scaleway Container Registry API v1 in memory: an
// [http.Handler] that answers the twelve calls of that API as the real one is
// known to answer them, with faults on request and a log of every request.
//
// It is for demonstrations, for tests, and for the tests of users' own policies:
// point any client of the API at it, the official SDK included. Where it is not
// known what the real API does, a setting chooses between the possible answers.
//
// It must never reach the network or the disk by itself, start a goroutine, or
// keep anything but the world it was given: what is deleted here was never
// there.
//
// What it answers beyond the API:
//
//   - the lists of Serverless Containers (v1 and v1beta1, with the namespaces of
//     containers) and of the definitions of Serverless Jobs (v1alpha2), of what the
//     world says runs.
//   - GET /_emulator/requests is the request log as a JSON array, one request a
//     line, oldest first. It needs no token and logs itself nowhere.
package emulator
