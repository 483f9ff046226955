using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>The names that this machine knows by itself: <c>hosts(5)</c>.</summary>
internal sealed class HostsFile(IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> addresses)
{
    public static string DefaultPath { get; } = OperatingSystem.IsWindows() ? Path.Combine(Environment.SystemDirectory, "drivers", "etc", "hosts") : "/etc/hosts";

    /// <param name="text">The file; lines that do not begin with an address are passed over.</param>
    public static HostsFile Parse(string text)
    {
        var found = new Dictionary<string, List<IPAddress>>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in text.Split('\n'))
        {
            var comment = line.IndexOf('#', StringComparison.Ordinal);
            var words = (comment < 0 ? line : line[..comment]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || !IPAddress.TryParse(words[0], out var address))
            {
                continue;
            }

            foreach (var name in words.AsSpan(1))
            {
                var key = name.TrimEnd('.');
                if (!found.TryGetValue(key, out var list))
                {
                    found.Add(key, list = []);
                }

                list.Add(address);
            }
        }

        return new HostsFile(found.ToDictionary(f => f.Key, IReadOnlyList<IPAddress> (f) => f.Value, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>The addresses of a name; none when the file does not have it.</summary>
    public IReadOnlyList<IPAddress> Find(string name)
    {
        name = name.TrimEnd('.');
        if (addresses.TryGetValue(name, out var found))
        {
            return found;
        }

        // RFC 6761, section 6.3: these names never leave the machine.
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
            : [];
    }
}
