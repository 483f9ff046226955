namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Hosts that were copied from a page together with the markup of a link.</summary>
internal static class LinkMarkup
{
    /// <returns>The way out to append to an error, or nothing.</returns>
    public static string Hint(string host)
    {
        if (NameIn(host) is { } name)
        {
            return $": it is the markup of a link; write {name}";
        }

        return Uri.TryCreate(host, UriKind.Absolute, out var uri) && uri.Host.Length > 0 && host.Contains("://", StringComparison.Ordinal)
            ? $": it is a URL; write {uri.Host}"
            : "";
    }

    /// <summary>The name in <c>[name](url)</c> or <c>&lt;url&gt;</c>.</summary>
    private static string? NameIn(string host)
    {
        var middle = host.IndexOf("](", StringComparison.Ordinal);
        if (host.StartsWith('[') && middle > 1 && host.EndsWith(')'))
        {
            return host[1..middle];
        }

        return host.StartsWith('<') && host.EndsWith('>') && Uri.TryCreate(host[1..^1], UriKind.Absolute, out var uri) ? uri.Host : null;
    }
}
