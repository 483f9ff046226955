namespace Mesh.DataPlane.Routing;

/// <summary>Finds the virtual host of an authority: exact, then the longest suffix (<c>*.x</c>), then the longest prefix (<c>x.*</c>), then <c>*</c>.</summary>
internal sealed class VirtualHostTable
{
    private readonly Dictionary<string, VirtualHost> _exact = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string Text, VirtualHost Host)> _suffixes = [];
    private readonly List<(string Text, VirtualHost Host)> _prefixes = [];
    private readonly VirtualHost? _any;
    private readonly bool _ignorePort;

    public VirtualHostTable(IEnumerable<(VirtualHost Host, IReadOnlyList<string> Domains)> hosts, bool ignorePort)
    {
        _ignorePort = ignorePort;
        foreach (var (host, domains) in hosts)
        {
            foreach (var domain in domains)
            {
                if (domain == "*")
                {
                    _any = host;
                }
                else if (domain.StartsWith('*'))
                {
                    _suffixes.Add((domain[1..], host));
                }
                else if (domain.EndsWith('*'))
                {
                    _prefixes.Add((domain[..^1], host));
                }
                else
                {
                    _exact.Add(domain, host);
                }
            }
        }

        _suffixes.Sort((a, b) => b.Text.Length - a.Text.Length);
        _prefixes.Sort((a, b) => b.Text.Length - a.Text.Length);
    }

    /// <summary>The virtual host of every authority, where there is but that one.</summary>
    public VirtualHost? Any => _exact.Count + _suffixes.Count + _prefixes.Count == 0 ? _any : null;

    /// <summary>Every domain with its virtual host.</summary>
    public IEnumerable<(VirtualHost Host, string Domain)> Domains
        => _exact.Select(e => (e.Value, e.Key))
            .Concat(_suffixes.Select(s => (s.Host, $"*{s.Text}")))
            .Concat(_prefixes.Select(p => (p.Host, $"{p.Text}*")))
            .Concat(_any is null ? [] : [(_any, "*")]);

    /// <summary>Called when an authority meets a new table, not for each request.</summary>
    public VirtualHost? Find(string authority)
    {
        if (_ignorePort)
        {
            var colon = authority.LastIndexOf(':');
            if (colon > 0 && !authority.AsSpan(colon).Contains(']'))
            {
                authority = authority[..colon];
            }
        }

        if (_exact.TryGetValue(authority, out var host))
        {
            return host;
        }

        // A wildcard stands for at least one character.
        foreach (var (text, candidate) in _suffixes)
        {
            if (authority.Length > text.Length && authority.EndsWith(text, StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }
        }

        foreach (var (text, candidate) in _prefixes)
        {
            if (authority.Length > text.Length && authority.StartsWith(text, StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }
        }

        return _any;
    }
}
