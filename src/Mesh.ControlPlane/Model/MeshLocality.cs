namespace Mesh.ControlPlane.Model;

/// <summary>Where a workload runs.</summary>
internal sealed record MeshLocality(string Region, string Zone, string SubZone) : IComparable<MeshLocality>
{
    public static MeshLocality None { get; } = new("", "", "");

    /// <summary>Reads Istio's <c>region/zone/subzone</c>.</summary>
    public static MeshLocality Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return None;
        }

        var parts = text.Split('/', 3);
        return new MeshLocality(parts[0], parts.Length > 1 ? parts[1] : "", parts.Length > 2 ? parts[2] : "");
    }

    /// <summary>Reads Istio's label <c>istio-locality</c>, which has dots where a locality has slashes.</summary>
    public static MeshLocality OfLabels(IReadOnlyDictionary<string, string> labels) => Parse(labels.GetValueOrDefault("istio-locality")?.Replace('.', '/'));

    /// <summary>Whether a rule's <c>region/zone/subzone</c>, in which <c>*</c> and what is left out stand for any, covers this locality.</summary>
    public bool IsCoveredBy(string pattern)
    {
        var rule = Parse(pattern);
        return (rule.Region == "*" || rule.Region == Region) && (rule.Zone is "*" or "" || rule.Zone == Zone) && (rule.SubZone is "*" or "" || rule.SubZone == SubZone);
    }

    public int CompareTo(MeshLocality? other)
    {
        if (other is null)
        {
            return 1;
        }

        var order = string.CompareOrdinal(Region, other.Region);
        order = order != 0 ? order : string.CompareOrdinal(Zone, other.Zone);
        return order != 0 ? order : string.CompareOrdinal(SubZone, other.SubZone);
    }

    public override string ToString() => (Region.Length, Zone.Length, SubZone.Length) switch
    {
        (0, _, _) => "",
        (_, 0, _) => Region,
        (_, _, 0) => $"{Region}/{Zone}",
        _ => $"{Region}/{Zone}/{SubZone}",
    };
}
