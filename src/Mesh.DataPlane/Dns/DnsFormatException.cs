namespace Mesh.DataPlane.Dns;

/// <summary>A message or a name that breaks the format of DNS.</summary>
internal sealed class DnsFormatException(string message) : Exception(message);
