using Google.Protobuf.Reflection;

namespace Mesh.Xds.Validation;

/// <summary>A message that carries fields its descriptor does not know.</summary>
/// <param name="Path">The path of the message, empty for the outermost.</param>
/// <param name="Message">Its type; whether unknown fields are tolerable depends on it.</param>
internal sealed record UnknownFieldsLocation(string Path, MessageDescriptor Message);
