using System.Collections.Frozen;

namespace Mesh.Server.Admin;

/// <summary>All answers of the admin, in the order of the list.</summary>
internal sealed class AdminEndpoints(IEnumerable<AdminEndpoint> endpoints)
{
    private readonly FrozenDictionary<string, AdminEndpoint> _byPath = endpoints.ToFrozenDictionary(e => e.Path, StringComparer.Ordinal);

    public IReadOnlyList<AdminEndpoint> All { get; } = [.. endpoints];

    /// <summary>The answer at a path below the admin's place; <see langword="null"/> when there is none.</summary>
    public AdminEndpoint? Find(string path) => _byPath.GetValueOrDefault(path.Length > 1 ? path.TrimEnd('/') : path);
}
