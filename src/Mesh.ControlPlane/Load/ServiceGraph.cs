namespace Mesh.ControlPlane.Load;

/// <summary>Who calls whom, how often and with which result, by what clients have reported.</summary>
/// <param name="At">When it was put together.</param>
/// <param name="Over">Over which time the rates are.</param>
/// <param name="Edges">Who calls which cluster.</param>
/// <param name="Clients">Who has reported in the last minutes, instance by instance.</param>
internal sealed record ServiceGraph(DateTimeOffset At, TimeSpan Over, IReadOnlyList<ServiceGraphEdge> Edges, IReadOnlyList<ServiceGraphClient> Clients);

/// <summary>One workload's calls of one cluster.</summary>
/// <param name="Source">The workload that calls.</param>
/// <param name="Destination">The cluster that it calls.</param>
/// <param name="Rates">All of it.</param>
/// <param name="Localities">The same by the place of those who answer; without a place what none was asked.</param>
/// <param name="Endpoints">The same by who answers, from clients that tell.</param>
/// <param name="Dropped">Requests a second that were not sent, by why: <c>circuit_breakers</c>, a category of <c>drop_overloads</c>, and with <c>mesh.</c> before it a reply of the mesh.</param>
/// <param name="Instances">How many instances of the source call it.</param>
internal sealed record ServiceGraphEdge(
    LoadSource Source,
    LoadDestination Destination,
    LoadRates Rates,
    IReadOnlyList<LocalityRates> Localities,
    IReadOnlyList<EndpointRates> Endpoints,
    IReadOnlyDictionary<string, double> Dropped,
    int Instances);

/// <summary>What a cluster's name says.</summary>
/// <param name="Cluster">The name.</param>
/// <param name="Host">The service; empty when the name is none of Istio's.</param>
/// <param name="Port">Its port.</param>
/// <param name="Subset">Its subset; empty for all of it.</param>
internal sealed record LoadDestination(string Cluster, string Host, uint Port, string Subset);

/// <summary>The part of an edge that goes to one place.</summary>
internal sealed record LocalityRates(string Locality, uint Priority, LoadRates Rates);

/// <summary>The part of an edge that goes to one endpoint.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Locality">Its place.</param>
/// <param name="Workload">The workload there; <see langword="null"/> when nobody of the mesh is there now.</param>
/// <param name="Rates">What goes to it.</param>
internal sealed record EndpointRates(string Address, string Locality, LoadSource? Workload, LoadRates Rates);

/// <summary>One client that reports.</summary>
/// <param name="Node">Its node's id.</param>
/// <param name="Workload">What it is an instance of.</param>
/// <param name="IsConnected">Whether its stream is open.</param>
/// <param name="LastReport">When it reported last, or began to.</param>
internal sealed record ServiceGraphClient(string Node, LoadSource Workload, bool IsConnected, DateTimeOffset LastReport);
