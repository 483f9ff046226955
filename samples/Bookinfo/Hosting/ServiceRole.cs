namespace Bookinfo.Hosting;

/// <summary>What makes a host one particular service.</summary>
/// <param name="Calls">The services it calls.</param>
internal sealed record ServiceRole(Action<WebApplicationBuilder> Add, Action<WebApplication> Map, params string[] Calls);
