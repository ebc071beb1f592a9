// Package emulator is the Scaleway Container Registry API v1 in memory: an
// [http.Handler] that answers the twelve calls of that API as the real one is
// known to answer them, with faults on request and a log of every request.
//
// Use it for demonstrations and tests: point any client of the API at it, the
// official SDK included. What it holds is a world, see package worlds. Where it is
// not known what the real API does, a setting of the world chooses the answer.
//
// Its nouns are the Server, the world that it holds, and the fault that happens to a
// request. With [Options].DataPlane, such as New of package oci, it also serves what
// clients pull from and push to. The methods that take an [Address] are for that package:
// they show what the images hold, and PushManifest changes it.
//
// It must never reach the network or the disk by itself, start a goroutine, or know the
// protocol of the data plane.
//
// Beyond the API it answers:
//
//   - the lists of Serverless Containers (v1 and v1beta1, with the namespaces of
//     containers) and of the definitions of Serverless Jobs (v1alpha2).
//   - the list of the clusters of Kubernetes Kapsule (v1), and their kubeconfigs.
//   - GET /_emulator/requests: the request log as a JSON array, one request a line,
//     oldest first. It needs no token, and is not in the log itself.
package emulator
