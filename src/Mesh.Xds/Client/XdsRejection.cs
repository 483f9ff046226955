using Google.Protobuf;

namespace Mesh.Xds.Client;

/// <summary>A version of a resource that was refused (CSDS's <c>UpdateFailureState</c>).</summary>
/// <param name="Version">The version.</param>
/// <param name="Details">What is wrong with it.</param>
/// <param name="At">When it came.</param>
/// <param name="Body">The message, as it was received; <see langword="null"/> when it could not be read. It may hold keys.</param>
internal sealed record XdsRejection(string Version, string Details, DateTimeOffset At, ByteString? Body);
