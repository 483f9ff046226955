using Google.Protobuf;

namespace Mesh.Xds.Client;

/// <summary>What is known of one resource, and who watches it by name. Changed on the client's serializer only.</summary>
internal sealed class ResourceEntry(ResourceTable table, string name)
{
    public ResourceTable Table { get; } = table;

    public string Name { get; } = name;

    public List<ResourceWatch> Watches { get; } = [];

    public ResourceState State { get; set; }

    /// <summary>The version in use; stays when a newer one is refused.</summary>
    public object? Resource { get; set; }

    public ByteString? Bytes { get; set; }

    public string Version { get; set; } = "";

    /// <summary>The server that <see cref="Resource"/> came from; versions mean nothing to another.</summary>
    public XdsChannel? Source { get; set; }

    /// <summary>What the watchers were told last, if that was an error.</summary>
    public ResourceError? Error { get; set; }

    /// <summary>What came last, if it was refused.</summary>
    public XdsRejection? Rejected { get; set; }

    /// <summary>When it was accepted or removed last.</summary>
    public DateTimeOffset? LastUpdated { get; set; }

    /// <summary>Runs while the resource has been requested on a live stream and not been answered.</summary>
    public ITimer? ResourceTimer { get; set; }

    /// <summary>Runs while the resource has a time to live.</summary>
    public ITimer? TimeToLiveTimer { get; set; }

    public void StopResourceTimer()
    {
        ResourceTimer?.Dispose();
        ResourceTimer = null;
    }

    public void StopTimeToLive()
    {
        TimeToLiveTimer?.Dispose();
        TimeToLiveTimer = null;
    }
}
