using Google.Protobuf.WellKnownTypes;

namespace Mesh.Xds.Serving;

/// <summary>One resource that a stream has subscribed to or was sent.</summary>
/// <param name="TypeUrl">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">The version that was sent; empty when there is none.</param>
/// <param name="State">How far the client is; that of the kind, since answers are to whole responses.</param>
/// <param name="Body">What was sent; <see langword="null"/> when there is none, or it has changed since and the change is on its way.</param>
internal sealed record AdsResourceStatus(string TypeUrl, string Name, string Version, AdsSyncState State, Any? Body);
