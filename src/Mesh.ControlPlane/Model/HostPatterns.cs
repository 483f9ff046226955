namespace Mesh.ControlPlane.Model;

/// <summary>A set of hosts and wildcards (<c>*.example.com</c>, <c>*</c>) that is asked for a host in one look-up per label.</summary>
internal sealed class HostPatterns
{
    private readonly HashSet<string> _patterns = new(StringComparer.Ordinal);

    public void Add(string pattern) => _patterns.Add(pattern);

    /// <summary>Whether some pattern covers all that <paramref name="host"/>, which may be a wildcard itself, stands for.</summary>
    public bool Cover(string host) => Hostname.Covering(host).Any(_patterns.Contains);

    /// <summary>Whether some pattern and <paramref name="host"/> have a host in common.</summary>
    public bool Overlap(string host) => Cover(host) || (Hostname.IsWildcard(host) && _patterns.Any(pattern => Hostname.Covers(host, pattern)));
}
