using System.Globalization;

namespace Mesh.ControlPlane.Model;

/// <summary>The names under which a host is called, each with and without the port.</summary>
internal static class HostAliases
{
    /// <summary>As clients of a namespace may write it: the full name first, then the short forms (the bare one in the own namespace only).</summary>
    /// <param name="host">The host.</param>
    /// <param name="port">The port.</param>
    /// <param name="proxyNamespace">The client's namespace; <see langword="null"/>: any.</param>
    /// <param name="clusterDomain">The domain of the mesh's own names.</param>
    public static IEnumerable<string> Of(string host, uint port, string? proxyNamespace, string clusterDomain)
    {
        foreach (var name in NamesOf(host, proxyNamespace, clusterDomain))
        {
            yield return name;
            if (name != "*")
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{name}:{port}");
            }
        }
    }

    /// <summary>An address as clients write it; subnets are no names.</summary>
    public static IEnumerable<string> OfAddress(string address, uint port)
    {
        if (!address.Contains('/', StringComparison.Ordinal))
        {
            var name = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
            yield return name;
            yield return string.Create(CultureInfo.InvariantCulture, $"{name}:{port}");
        }
    }

    private static IEnumerable<string> NamesOf(string host, string? proxyNamespace, string clusterDomain)
    {
        yield return host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        var suffix = $".svc.{clusterDomain}";
        if (!host.EndsWith(suffix, StringComparison.Ordinal) || Hostname.IsWildcard(host))
        {
            yield break;
        }

        var local = host[..^suffix.Length];
        var dot = local.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || local.IndexOf('.', dot + 1) >= 0)
        {
            yield break;
        }

        if (proxyNamespace is null || local.AsSpan(dot + 1).SequenceEqual(proxyNamespace))
        {
            yield return local[..dot];
        }

        yield return $"{local}.svc";
        yield return local;
    }
}
