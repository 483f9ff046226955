using System.Globalization;

namespace Mesh.Xds.Serving;

/// <summary>What the client has of one kind, as far as the server knows: what it was sent, accepted or not.</summary>
/// <remarks>Refused content stays here too: it must not be sent again until it changes.</remarks>
internal sealed class SentResources
{
    private readonly Dictionary<string, SentResource> _byName = new(StringComparer.Ordinal);
    private ulong _sum;

    /// <summary>One version for the whole set: independent of order and of the server's life, kept up to date at the price of what changes.</summary>
    public string Version => _sum.ToString("x16", CultureInfo.InvariantCulture);

    public IEnumerable<KeyValuePair<string, SentResource>> Entries => _byName;

    public bool TryGet(string name, out SentResource sent) => _byName.TryGetValue(name, out sent);

    public bool IsCurrent(AdsResource resource) =>
        _byName.TryGetValue(resource.Name, out var sent) && string.Equals(sent.Version, resource.Version, StringComparison.Ordinal);

    /// <summary>The client brought it along from an earlier stream, and this server has neither sent nor confirmed it.</summary>
    public bool IsAssumed(string name) => _byName.TryGetValue(name, out var sent) && sent.IsAssumed;

    /// <summary>What the client brought along is what this server has: from now on its changes are the server's to tell.</summary>
    public void Confirm(string name)
    {
        if (_byName.TryGetValue(name, out var sent) && sent.IsAssumed)
        {
            _byName[name] = sent with { IsAssumed = false };
        }
    }

    /// <summary>The resource goes out now.</summary>
    /// <param name="resource">What is sent.</param>
    /// <param name="keep">Hold the resource itself, to be able to repeat it after it left the model.</param>
    public void Set(AdsResource resource, bool keep) => Put(resource.Name, new SentResource(resource.Version, keep ? resource : null));

    /// <summary>The client said that it has this version from an earlier stream.</summary>
    public void Assume(string name, string version) => Put(name, new SentResource(version, null, IsAssumed: true));

    /// <summary>The client is told that there is no such resource.</summary>
    public void SetMissing(string name) => Put(name, default);

    public void Forget(string name)
    {
        if (_byName.Remove(name, out var sent))
        {
            _sum -= Weigh(name, sent.Version);
        }
    }

    public void Clear()
    {
        _byName.Clear();
        _sum = 0;
    }

    private void Put(string name, SentResource sent)
    {
        Forget(name);
        _byName[name] = sent;
        _sum += Weigh(name, sent.Version);
    }

    private static ulong Weigh(string name, string? version)
    {
        if (version is null)
        {
            return 0;
        }

        // FNV-1a: a label for people and for equality, not a protection.
        var hash = 14695981039346656037UL;
        foreach (var character in name)
        {
            hash = (hash ^ character) * 1099511628211UL;
        }

        foreach (var character in version)
        {
            hash = (hash ^ character) * 1099511628211UL;
        }

        return hash;
    }
}
