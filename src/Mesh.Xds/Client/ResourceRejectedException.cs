using Mesh.Xds.Validation;

namespace Mesh.Xds.Client;

/// <summary>A resource that must not be used: the NACK carries the field's path and the reason. Both quote what somebody else wrote, and end in logs.</summary>
internal sealed class ResourceRejectedException(string field, string reason) : Exception(PrintableText.Of($"{field}: {reason}"))
{
    /// <summary>The path of the field, as in <c>virtual_hosts[0].routes[2].match.safe_regex</c>.</summary>
    public string Field { get; } = PrintableText.Of(field);

    public string Reason { get; } = PrintableText.Of(reason);
}
