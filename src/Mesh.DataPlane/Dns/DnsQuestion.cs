namespace Mesh.DataPlane.Dns;

/// <summary>A question as it goes over the wire.</summary>
/// <param name="Name">In lower case, with its last dot: <c>reviews.example.</c></param>
/// <param name="Type">The records asked for.</param>
internal readonly record struct DnsQuestion(string Name, DnsRecordType Type)
{
    /// <exception cref="DnsFormatException">The name cannot be asked for.</exception>
    public static DnsQuestion Create(string name, DnsRecordType type)
        => DnsName.IsHost(name)
            ? new DnsQuestion(name.TrimEnd('.').ToLowerInvariant() + ".", type)
            : throw new DnsFormatException($"'{name}' cannot be asked for in DNS");
}
