namespace Mesh.ControlPlane.Config;

/// <summary>What became of a document.</summary>
internal enum ConfigChange
{
    Added,
    Changed,
    Removed,
}

/// <summary>Which documents differ between two snapshots.</summary>
internal static class ConfigChanges
{
    /// <summary>Those that are there now in their order, then those that are gone.</summary>
    public static IEnumerable<(ConfigChange Change, ConfigResource Resource)> Between(ConfigSnapshot before, ConfigSnapshot now)
    {
        var old = before.Resources.ToDictionary(resource => resource.Key);
        foreach (var resource in now.Resources)
        {
            if (!old.Remove(resource.Key, out var was))
            {
                yield return (ConfigChange.Added, resource);
            }
            else if (!ReferenceEquals(was, resource) && !was.Spec.Equals(resource.Spec))
            {
                yield return (ConfigChange.Changed, resource);
            }
        }

        foreach (var resource in old.Values)
        {
            yield return (ConfigChange.Removed, resource);
        }
    }
}
