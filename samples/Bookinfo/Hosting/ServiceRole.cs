namespace Bookinfo.Hosting;

/// <summary>What makes a host one particular service.</summary>
internal sealed record ServiceRole(Action<WebApplicationBuilder> Add, Action<WebApplication> Map);
