using System.Globalization;

namespace Mesh.ControlPlane.Generators;

/// <summary>Istio's names of clusters and of the routes of one host: <c>outbound|9080|v2|reviews.default.svc.cluster.local</c>.</summary>
internal readonly record struct SubsetKey(uint Port, string Subset, string Host)
{
    public static bool TryParse(string name, out SubsetKey key)
    {
        key = default;
        var parts = name.Split('|', 5);
        if (parts.Length != 4 || parts[0] != "outbound" || parts[3].Length == 0
            || !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > ushort.MaxValue)
        {
            return false;
        }

        key = new SubsetKey(port, parts[2], parts[3]);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"outbound|{Port}|{Subset}|{Host}");
}
