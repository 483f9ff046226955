using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Security;

/// <summary>Writes down which documents have changed, and where they were written.</summary>
internal static class ConfigAudit
{
    /// <summary>Documents named one by one; of more only the number is told.</summary>
    private const int MaxNamed = 100;

    public static void Tell(ConfigSnapshot? before, ConfigSnapshot now, AuditLog audit)
    {
        if (before is null)
        {
            audit.ConfigChanged("read", $"{now.Resources.Count} documents", "the start");
            return;
        }

        var told = 0;
        foreach (var (change, resource) in ConfigChanges.Between(before, now))
        {
            if (told++ < MaxNamed)
            {
                audit.ConfigChanged(
                    change switch { ConfigChange.Added => "added", ConfigChange.Changed => "changed", _ => "removed" },
                    $"{resource.Kind.Kind} {resource.Namespace}/{resource.Name}",
                    resource.Source.ToString());
            }
        }

        if (told > MaxNamed)
        {
            audit.ConfigChanged("changed", $"{told - MaxNamed} further documents", "the same change");
        }
    }
}
