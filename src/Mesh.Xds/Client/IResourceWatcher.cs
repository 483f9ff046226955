namespace Mesh.Xds.Client;

/// <summary>Told about one watched resource (gRFC A88). Calls come one at a time, in order, on the client's serializer, and must not block.</summary>
internal interface IResourceWatcher<in T>
    where T : class
{
    /// <summary>A new, valid version arrived; it replaces whatever was there, errors included.</summary>
    void OnChanged(string name, T resource, string version);

    /// <summary>There is no resource to use: it does not exist, was removed, was invalid from the start, or the server cannot be reached.</summary>
    void OnResourceError(string name, ResourceError error);

    /// <summary>Something is wrong, but the resource last delivered stays in use.</summary>
    void OnAmbientError(string name, ResourceError error);

    /// <summary>What <see cref="OnAmbientError"/> last told of has passed, and the resource last delivered is still the server's, which does not send it again.</summary>
    void OnRecovered(string name)
    {
    }
}
