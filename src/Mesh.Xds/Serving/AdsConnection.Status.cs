namespace Mesh.Xds.Serving;

/// <summary>What the stream tells of itself.</summary>
internal sealed partial class AdsConnection<TRequest, TResponse>
{
    public AdsConnectionStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new AdsConnectionStatus(Info, _node, _variant.IsDelta, InOrder.Select(subscription => subscription.Status).ToList());
            }
        }
    }

    public IReadOnlyList<AdsResourceStatus> Resources
    {
        get
        {
            lock (_gate)
            {
                return _view is null ? [] : InOrder.SelectMany(subscription => subscription.Describe(_view)).ToList();
            }
        }
    }

    private IEnumerable<AdsSubscription> InOrder => _subscriptions.Values.OrderBy(subscription => subscription.Rank);
}
