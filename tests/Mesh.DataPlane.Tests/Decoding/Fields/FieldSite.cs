using Google.Protobuf;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>A message that the data plane reads, and the resource it stands in.</summary>
/// <param name="Create">The message as the walk begins with it: valid, and with the lists that it goes down into.</param>
/// <param name="Decode">Decodes a resource that has the message.</param>
internal sealed record FieldSite(Func<IMessage> Create, Func<IMessage, Resource> Decode);
