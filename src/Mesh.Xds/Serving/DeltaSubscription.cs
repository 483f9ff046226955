using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;

namespace Mesh.Xds.Serving;

/// <summary>An incremental subscription: requests add and take away names, responses carry what changed.</summary>
internal sealed class DeltaSubscription(string typeUrl, SubscribedNames budget, int maxResponseBytes)
    : AdsSubscription<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(typeUrl, budget)
{
    /// <summary>Names given up while the wildcard stays: the client must be told whether the wildcard still gives them.</summary>
    private readonly HashSet<string> _givenUp = new(StringComparer.Ordinal);

    public override bool Apply(DeltaDiscoveryRequest request, bool isFirst)
    {
        var owed = false;

        // 1. An empty first request means all, as in the other variant.
        if (isFirst && request.ResourceNamesSubscribe.Count == 0 && AdsTypeOrder.IsFullState(TypeUrl))
        {
            Wildcard = true;
            MarkAll();
            owed = true;
        }

        // 2. Unsubscribe first: a name in both lists stays.
        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            owed |= Unsubscribe(name);
        }

        foreach (var name in request.ResourceNamesSubscribe)
        {
            Subscribe(name);
            owed = true;
        }

        // 3. What the client still has from an earlier stream need not travel again.
        if (isFirst)
        {
            foreach (var (name, version) in request.InitialResourceVersions)
            {
                if (Covers(name))
                {
                    Sent.Assume(name, version);
                    MarkName(name);
                }
            }
        }

        return owed;
    }

    public override DeltaDiscoveryResponse? NextResponse(IAdsNodeView view, bool holdRemovals, string nonce)
    {
        var due = DueNames;
        var current = Collect(view, due);
        var response = new DeltaDiscoveryResponse
        {
            TypeUrl = TypeUrl,
            Nonce = nonce,
            ControlPlane = new ControlPlane { Identifier = AdsServer.Identifier },
        };

        var cut = AddChanged(response, current.Values);
        var hold = false;
        if (!cut)
        {
            hold = AddRemoved(response, due, current, holdRemovals && AdsTypeOrder.RemovesAfterRoutes(TypeUrl));
        }

        var send = MustAnswer || response.Resources.Count > 0 || response.RemovedResources.Count > 0;
        if (cut || hold)
        {
            MarkAnswered();
            HoldsRemovals = hold;
        }
        else
        {
            MarkDone();
        }

        response.SystemVersionInfo = Sent.Version;
        return send ? response : null;
    }

    private void Subscribe(string name)
    {
        if (name == WildcardName)
        {
            // Asked again means forgotten by the client: everything travels again.
            Wildcard = true;
            Sent.Clear();
            MarkAll();
            return;
        }

        AddName(name);
        _givenUp.Remove(name);
        Sent.Forget(name);
        MarkName(name);
    }

    private bool Unsubscribe(string name)
    {
        if (name == WildcardName)
        {
            Wildcard = false;
            _givenUp.Clear();
            foreach (var (sent, _) in Sent.Entries.Where(entry => !Names.Contains(entry.Key)).ToList())
            {
                Sent.Forget(sent);
            }

            return false;
        }

        if (!RemoveName(name))
        {
            return false;
        }

        Sent.Forget(name);
        if (Wildcard)
        {
            _givenUp.Add(name);
            MarkAll();
        }

        return Wildcard;
    }

    /// <returns>Whether the response is full and there is more.</returns>
    private bool AddChanged(DeltaDiscoveryResponse response, IEnumerable<AdsResource> resources)
    {
        long bytes = 0;
        foreach (var resource in resources)
        {
            if (Sent.IsCurrent(resource))
            {
                Sent.Confirm(resource.Name);
                continue;
            }

            // What the client brought along serves on until this server knows better.
            if (resource.IsTentative && Sent.IsAssumed(resource.Name))
            {
                continue;
            }

            if (bytes > 0 && bytes + resource.Body.Value.Length > maxResponseBytes)
            {
                return true;
            }

            bytes += resource.Body.Value.Length;
            response.Resources.Add(new Resource { Name = resource.Name, Version = resource.Version, Resource_ = resource.Body });
            Sent.Set(resource, keep: false);
        }

        return false;
    }

    /// <returns>Whether there are removals that have to wait.</returns>
    private bool AddRemoved(
        DeltaDiscoveryResponse response, IReadOnlyCollection<string>? due, Dictionary<string, AdsResource> current, bool hold)
    {
        // 1. What the client has and should not have any more.
        var held = false;
        var known = due ?? Sent.Entries.Select(entry => entry.Key);
        foreach (var name in known.Where(name => !current.ContainsKey(name)).ToList())
        {
            if (!Sent.TryGet(name, out var sent) || sent.Version is null)
            {
                continue;
            }

            if (hold)
            {
                held = true;
                continue;
            }

            response.RemovedResources.Add(name);
            Forget(name);
        }

        // 2. What was asked for and does not exist: said once.
        foreach (var name in due ?? Names)
        {
            if (!current.ContainsKey(name) && !Sent.TryGet(name, out _) && Names.Contains(name))
            {
                response.RemovedResources.Add(name);
                Sent.SetMissing(name);
            }
        }

        // 3. What was given up and is not among what the wildcard gives.
        foreach (var name in _givenUp)
        {
            if (!current.ContainsKey(name))
            {
                response.RemovedResources.Add(name);
            }
        }

        _givenUp.Clear();
        return held;
    }

    private void Forget(string name)
    {
        if (Names.Contains(name))
        {
            Sent.SetMissing(name);
        }
        else
        {
            Sent.Forget(name);
        }
    }
}
