"""What a web address shows of itself, without asking any list: the codecs that pages which fetch other pages write
addresses in, and the shapes that give such pages away. One distinct address at a time, and nothing is remembered.
"""
