namespace Mesh.Xds.Serving;

/// <summary>One of the two variants of the protocol: state of the world or incremental.</summary>
internal interface IAdsVariant<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    bool IsDelta { get; }

    AdsRequest Read(TRequest request);

    AdsSubscription<TRequest, TResponse> Subscribe(string typeUrl, SubscribedNames budget);

    /// <summary>The confirmation of a health report: no resources; the version tells which report is meant.</summary>
    TResponse ConfirmHealth(string version, string nonce);
}
