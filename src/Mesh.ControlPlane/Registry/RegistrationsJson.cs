using System.Text.Json.Serialization;

namespace Mesh.ControlPlane.Registry;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(RegistrationRecord[]))]
internal sealed partial class RegistrationsJson : JsonSerializerContext;
