using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators.Localities;

/// <summary>Istio's <c>failoverPriority</c>: the more of the labels, from the first on, an endpoint shares with the client, the earlier its turn.</summary>
internal static class FailoverLabels
{
    /// <summary>An entry is a label, or <c>label=value</c> where the value stands in for the client's own.</summary>
    public static string NameOf(string entry) => entry.Split('=', 2)[0];

    /// <summary>Splits each group by the priority of its endpoints. A client of which nothing is known prefers none.</summary>
    public static List<LocalityGroup> Split(Proxy proxy, List<LocalityGroup> groups, IReadOnlyList<string> entries)
    {
        if (proxy.Labels.Count == 0 && proxy.Locality == MeshLocality.None && proxy.ClusterId.Length == 0)
        {
            return groups;
        }

        var wanted = entries.Select(entry => entry.Split('=', 2))
            .Select(parts => (Label: parts[0], Value: parts.Length == 2 ? parts[1] : proxy.LabelOf(parts[0]) ?? ""))
            .ToArray();
        var split = new List<LocalityGroup>(groups.Count);
        foreach (var group in groups)
        {
            var byPriority = new SortedDictionary<uint, LocalityGroup>();
            foreach (var (instance, address) in group.Endpoints)
            {
                var priority = PriorityOf(instance, wanted);
                if (!byPriority.TryGetValue(priority, out var part))
                {
                    byPriority[priority] = part = new LocalityGroup(group.Locality) { Priority = priority };
                }

                part.Add(instance, address);
            }

            split.AddRange(byPriority.Values);
        }

        return split;
    }

    private static uint PriorityOf(WorkloadInstance instance, (string Label, string Value)[] wanted)
    {
        var elsewhere = 0;
        for (var i = 0; i < wanted.Length; i++)
        {
            if ((instance.LabelOf(wanted[i].Label) ?? "") == wanted[i].Value)
            {
                continue;
            }

            if (i == 0 && wanted[i].Label == TopologyLabels.Network)
            {
                // Whatever else it shares: another network comes after everything in this one.
                elsewhere = wanted.Length;
                continue;
            }

            return (uint)(wanted.Length - i + elsewhere);
        }

        return (uint)elsewhere;
    }
}
