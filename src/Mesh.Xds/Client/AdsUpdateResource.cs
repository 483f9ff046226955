using Google.Protobuf.WellKnownTypes;

namespace Mesh.Xds.Client;

/// <summary>One resource of a response.</summary>
/// <remarks>
/// The name is that of the wrapper, empty where there is none, since then only the body knows it. A missing body is a heartbeat that only
/// renews the time to live. <c>Malformed</c> says why the wrapper could not be read.
/// </remarks>
internal readonly record struct AdsUpdateResource(string Name, string Version, Any? Body, TimeSpan? TimeToLive, string? Malformed = null);
