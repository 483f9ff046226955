namespace Mesh.Xds.Serving;

/// <summary>What one stream has subscribed to of one kind, what it was sent, and what is due to it.</summary>
internal abstract class AdsSubscription(string typeUrl, SubscribedNames budget)
{
    public const string WildcardName = "*";

    private readonly HashSet<string> _dueNames = new(StringComparer.Ordinal);
    private bool _allDue;

    public string TypeUrl { get; } = typeUrl;

    public int Rank { get; } = AdsTypeOrder.RankOf(typeUrl);

    public bool Wildcard { get; protected set; }

    public AckTracker Acks { get; } = new();

    public SentResources Sent { get; } = new();

    public string? LastNack { get; set; }

    public long Requests { get; set; }

    public long Responses { get; set; }

    public int Subscribed => Names.Count;

    public AdsSyncState State
        => Responses == 0 ? AdsSyncState.NotSent
            : Acks.IsOutstanding ? AdsSyncState.Stale
            : LastNack is null ? AdsSyncState.Synced : AdsSyncState.Error;

    public AdsTypeStatus Status
        => new(TypeUrl, Subscribed, Wildcard, Responses == 0 ? "" : Sent.Version, Acks.AckedVersion, LastNack, Responses, Requests)
        {
            State = State,
            NackedVersion = Acks.NackedVersion,
            LastSent = Acks.LastSent,
            LastAcked = Acks.LastAcked,
            LastNacked = Acks.LastNacked,
        };

    /// <summary>Something may have to be sent.</summary>
    public bool IsDue { get; private set; }

    /// <summary>Only removals are left, and they wait for the kinds that may still name what is removed.</summary>
    public bool HoldsRemovals { get; protected set; }

    public bool IsBusy => IsDue || Acks.IsOutstanding;

    protected HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>The client's request has to be answered even when there is nothing to tell.</summary>
    protected bool MustAnswer { get; private set; }

    /// <summary>A push may have changed resources of this kind.</summary>
    /// <param name="names">The changed ones; <see langword="null"/>: any.</param>
    /// <param name="settledEpoch">Up to where the connection was informed when the push came.</param>
    public void MarkChanged(IReadOnlySet<string>? names, long settledEpoch)
    {
        if (!Wildcard && (Names.Count == 0 || (names is not null && !Names.Overlaps(names))))
        {
            return;
        }

        if (!IsBusy)
        {
            Acks.BecomeBusy(settledEpoch);
        }

        IsDue = true;
        HoldsRemovals = false;
        if (names is null || Wildcard)
        {
            MarkAll();
        }
        else if (!_allDue)
        {
            foreach (var name in names)
            {
                if (Names.Contains(name))
                {
                    _dueNames.Add(name);
                }
            }
        }
    }

    /// <summary>Every resource that is subscribed to or was sent. Bodies are asked of the view, which still has what has not changed since.</summary>
    public IEnumerable<AdsResourceStatus> Describe(IAdsNodeView view)
    {
        var names = new SortedSet<string>(Names, StringComparer.Ordinal);
        names.UnionWith(Sent.Entries.Select(entry => entry.Key));
        var current = Collect(view, names: null);
        foreach (var name in names)
        {
            var version = Sent.TryGet(name, out var sent) ? sent.Version : null;
            var body = version is not null && current.TryGetValue(name, out var resource) && resource.Version == version ? resource.Body : null;
            yield return new AdsResourceStatus(TypeUrl, name, version ?? "", version is null ? AdsSyncState.NotSent : State, body);
        }
    }

    /// <summary>The client asked for something.</summary>
    public void MarkOwed(long settledEpoch)
    {
        Acks.BecomeOwed(settledEpoch);
        IsDue = true;
        MustAnswer = true;
        HoldsRemovals = false;
    }

    protected void MarkAll()
    {
        _allDue = true;
        _dueNames.Clear();
    }

    protected void MarkName(string name)
    {
        if (!_allDue)
        {
            _dueNames.Add(name);
        }
    }

    protected void MarkDone()
    {
        IsDue = false;
        MustAnswer = false;
        HoldsRemovals = false;
        _allDue = false;
        _dueNames.Clear();
    }

    protected void MarkAnswered() => MustAnswer = false;

    /// <summary>The names to look at, or <see langword="null"/> for all that is subscribed.</summary>
    protected IReadOnlyCollection<string>? DueNames => _allDue ? null : _dueNames;

    protected bool Covers(string name) => Wildcard || Names.Contains(name);

    protected bool AddName(string name)
    {
        if (!Names.Add(name))
        {
            return false;
        }

        budget.Add(name);
        return true;
    }

    protected bool RemoveName(string name)
    {
        if (!Names.Remove(name))
        {
            return false;
        }

        budget.Remove(name);
        _dueNames.Remove(name);
        return true;
    }

    /// <summary>The resources that exist now, by name; never one that was not subscribed.</summary>
    /// <param name="view">The node's view.</param>
    /// <param name="names">Those to look at, or <see langword="null"/> for all that is subscribed.</param>
    protected Dictionary<string, AdsResource> Collect(IAdsNodeView view, IReadOnlyCollection<string>? names)
    {
        var found = new Dictionary<string, AdsResource>(StringComparer.Ordinal);
        if (names is not null)
        {
            Take(view.GetResources(TypeUrl, wildcard: false, names));
            return found;
        }

        if (!Wildcard)
        {
            Take(view.GetResources(TypeUrl, wildcard: false, Names));
            return found;
        }

        Take(view.GetResources(TypeUrl, wildcard: true, []));

        // A resource may be had by name only: those that everybody gets need not hold it.
        var others = Names.Where(name => !found.ContainsKey(name)).ToList();
        if (others.Count > 0)
        {
            Take(view.GetResources(TypeUrl, wildcard: false, others));
        }

        return found;

        void Take(IReadOnlyCollection<AdsResource> resources)
        {
            found.EnsureCapacity(found.Count + resources.Count);
            foreach (var resource in resources)
            {
                if (Covers(resource.Name))
                {
                    found[resource.Name] = resource;
                }
            }
        }
    }
}
