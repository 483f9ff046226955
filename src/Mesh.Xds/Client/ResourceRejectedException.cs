namespace Mesh.Xds.Client;

/// <summary>A resource that must not be used: the NACK carries the field's path and the reason.</summary>
internal sealed class ResourceRejectedException(string field, string reason) : Exception($"{field}: {reason}")
{
    /// <summary>The path of the field, as in <c>virtual_hosts[0].routes[2].match.safe_regex</c>.</summary>
    public string Field { get; } = field;

    public string Reason { get; } = reason;
}
