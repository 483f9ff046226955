using System.Net;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Names as Kubernetes and Istio take them.</summary>
internal static class DnsName
{
    /// <summary>RFC 1123 label: at most 63 letters, digits and <c>-</c>, neither first nor last a <c>-</c>.</summary>
    public static bool IsLabel(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Length > 63 || name[0] == '-' || name[^1] == '-')
        {
            return false;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsLowerLabel(ReadOnlySpan<char> name) => IsLabel(name) && !name.ContainsAnyInRange('A', 'Z');

    /// <summary>The name of a Kubernetes object: lower-case labels with dots between, at most 253 characters.</summary>
    public static bool IsSubdomain(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name.Length > 253)
        {
            return false;
        }

        foreach (var part in name.Split('.'))
        {
            if (!IsLowerLabel(name[part]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A host: labels with dots between, a last dot allowed; the last label is not all digits, so an IP address is none.</summary>
    public static bool IsHost(ReadOnlySpan<char> host)
    {
        host = host.EndsWith(".") ? host[..^1] : host;
        if (host.IsEmpty || host.Length > 255)
        {
            return false;
        }

        foreach (var part in host.Split('.'))
        {
            if (!IsLabel(host[part]))
            {
                return false;
            }
        }

        return host[(host.LastIndexOf('.') + 1)..].ContainsAnyExceptInRange('0', '9');
    }

    /// <summary>A host, <c>*</c>, or a host whose first label is or begins with <c>*</c>.</summary>
    public static bool IsWildcardHost(ReadOnlySpan<char> host)
    {
        if (host is "*")
        {
            return true;
        }

        if (!host.StartsWith("*"))
        {
            return IsHost(host);
        }

        return host[1] == '.' ? IsHost(host[2..]) : host[1] == '-' && host.Length > 2 && IsHost(host[2..]);
    }

    public static bool IsAddress(string text) => IPAddress.TryParse(text, out _) && (text.Contains(':') || text.Count(c => c == '.') == 3);

    /// <summary>An IP address or a CIDR.</summary>
    public static bool IsSubnet(string text)
    {
        var slash = text.IndexOf('/');
        if (slash < 0)
        {
            return IsAddress(text);
        }

        return IsAddress(text[..slash])
            && int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out var bits)
            && bits <= (text.Contains(':') ? 128 : 32);
    }
}
