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

        var old = before.Resources.ToDictionary(resource => resource.Key);
        var told = 0;
        foreach (var resource in now.Resources)
        {
            if (!old.Remove(resource.Key, out var was))
            {
                Tell("added", resource);
            }
            else if (!ReferenceEquals(was, resource) && !was.Spec.Equals(resource.Spec))
            {
                Tell("changed", resource);
            }
        }

        foreach (var resource in old.Values)
        {
            Tell("removed", resource);
        }

        if (told > MaxNamed)
        {
            audit.ConfigChanged("changed", $"{told - MaxNamed} further documents", "the same change");
        }

        void Tell(string what, ConfigResource resource)
        {
            if (told++ < MaxNamed)
            {
                audit.ConfigChanged(what, $"{resource.Kind.Kind} {resource.Namespace}/{resource.Name}", resource.Source.ToString());
            }
        }
    }
}
