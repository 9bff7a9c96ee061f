stats = server.get_stats()
print(stats)
