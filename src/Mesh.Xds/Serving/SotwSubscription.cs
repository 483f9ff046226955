using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;

namespace Mesh.Xds.Serving;

/// <summary>A state-of-the-world subscription: every request lists all names.</summary>
internal sealed class SotwSubscription(string typeUrl, SubscribedNames budget) : AdsSubscription<DiscoveryRequest, DiscoveryResponse>(typeUrl, budget)
{
    private bool _hasNamed;

    public override bool Apply(DiscoveryRequest request, bool isFirst)
    {
        var asked = new HashSet<string>(request.ResourceNames, StringComparer.Ordinal);
        var explicitWildcard = asked.Remove(WildcardName);
        _hasNamed |= request.ResourceNames.Count > 0;

        // Empty means all only as long as the client has never named anything (xDS protocol, "How the client specifies what resources to return").
        var wasWildcard = Wildcard;
        Wildcard = explicitWildcard || (!_hasNamed && AdsTypeOrder.IsFullState(TypeUrl));

        // 1. What is no longer asked for is forgotten, so that it is sent anew when it is asked for again.
        foreach (var name in Names.Where(name => !asked.Contains(name)).ToList())
        {
            RemoveName(name);
            if (!Wildcard)
            {
                Sent.Forget(name);
            }
        }

        if (wasWildcard && !Wildcard)
        {
            foreach (var (name, _) in Sent.Entries.Where(entry => !asked.Contains(entry.Key)).ToList())
            {
                Sent.Forget(name);
            }
        }

        // 2. What is new is owed.
        var more = Wildcard && !wasWildcard;
        foreach (var name in asked)
        {
            if (AddName(name))
            {
                MarkName(name);
                more = true;
            }
        }

        if (Wildcard && !wasWildcard)
        {
            MarkAll();
        }

        return more;
    }

    public override DiscoveryResponse? NextResponse(IAdsNodeView view, bool holdRemovals, string nonce)
    {
        return AdsTypeOrder.IsFullState(TypeUrl) ? NextFullState(view, holdRemovals, nonce) : NextChanges(view, nonce);
    }

    /// <summary>All of them, whenever one of them changed: absence is removal.</summary>
    private DiscoveryResponse? NextFullState(IAdsNodeView view, bool holdRemovals, string nonce)
    {
        var current = Collect(view, names: null);
        var changed = current.Values.Any(resource => !Sent.IsCurrent(resource));
        var gone = Sent.Entries.Where(entry => !current.ContainsKey(entry.Key)).ToList();
        var hold = holdRemovals && gone.Count > 0 && AdsTypeOrder.RemovesAfterRoutes(TypeUrl);
        if (!MustAnswer && !changed && (gone.Count == 0 || hold))
        {
            Finish(hold);
            return null;
        }

        var response = NewResponse(nonce);
        foreach (var resource in current.Values)
        {
            response.Resources.Add(resource.Body);
            Sent.Set(resource, keep: true);
        }

        foreach (var (name, sent) in gone)
        {
            if (hold && sent.Resource is not null)
            {
                response.Resources.Add(sent.Resource.Body);
            }
            else
            {
                Sent.Forget(name);
            }
        }

        response.VersionInfo = Sent.Version;
        Finish(hold);
        return response;
    }

    /// <summary>Only what changed: for these kinds absence means nothing.</summary>
    private DiscoveryResponse? NextChanges(IAdsNodeView view, string nonce)
    {
        var due = DueNames;
        var current = Collect(view, due);
        var response = NewResponse(nonce);
        foreach (var resource in current.Values)
        {
            if (!Sent.IsCurrent(resource))
            {
                response.Resources.Add(resource.Body);
                Sent.Set(resource, keep: false);
            }
        }

        IEnumerable<string> looked = due ?? Sent.Entries.Select(entry => entry.Key).ToList();
        foreach (var name in looked)
        {
            if (!current.ContainsKey(name))
            {
                Sent.Forget(name);
            }
        }

        var send = MustAnswer || response.Resources.Count > 0;
        MarkDone();
        response.VersionInfo = Sent.Version;
        return send ? response : null;
    }

    private void Finish(bool hold)
    {
        if (hold)
        {
            MarkAnswered();
            HoldsRemovals = true;
        }
        else
        {
            MarkDone();
        }
    }

    private DiscoveryResponse NewResponse(string nonce) => new()
    {
        TypeUrl = TypeUrl,
        Nonce = nonce,
        ControlPlane = new ControlPlane { Identifier = AdsServer.Identifier },
    };
}
